"""Where versions are published and stages stand: a local folder or the Hugging Face Hub, with one behaviour."""
