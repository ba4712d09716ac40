"""What is set up around a repository and what not: looked at, asked, and put together."""
