"""A command as it is published: everything as it was typed, and no secret."""

from __future__ import annotations

import pytest

from modelrelease.release.commands import MAX_COMMAND, command_text, masked, without_credentials

HF = "hf_" + "a" * 34
COMMANDS = {
    "nothing secret": ("python train.py --lr 3e-4 --out models/model_v1.1", None),
    "a value of its own": ("python t.py --hub-token abc --x 1", "python t.py --hub-token *** --x 1"),
    "an equals sign": ("python t.py --hub_token=abc --x 1", "python t.py --hub_token=*** --x 1"),
    "quoted": ("python t.py --token 'a b' --x 1", "python t.py --token *** --x 1"),
    "quoted with its option": ("python t.py '--api-key=a b'", "python t.py --api-key=***"),
    "a variable": ("HF_TOKEN=abc WANDB_API_KEY=d python t.py", "HF_TOKEN=*** WANDB_API_KEY=*** python t.py"),
    "a setting": ("python t.py hub.token=abc optim.lr=1", "python t.py hub.token=*** optim.lr=1"),
    "a variable in a shell": ("sh -c 'export API_KEY=zz; python t.py'", "sh -c 'export API_KEY=***; python t.py'"),
    "a token anywhere": (f"python t.py {HF} --x={HF}", "python t.py *** --x=***"),
    "an address": ("python t.py s3://k:s@bucket/x", "python t.py s3://***@bucket/x"),
    "an option without value": ("python t.py --use-token --x 1", "python t.py --use-token --x 1"),
    "password": ("python t.py --db.password hunter2", "python t.py --db.password ***"),
    "github": ("git clone https://ghp_" + "b" * 36 + "@github.com/a/b", "git clone https://***@github.com/a/b"),
    "tokens that are no secret": ("python t.py --max-tokens 5 --tokenizer t --eos-token '</s>' --token-length 4", None),
    "operators stay": (
        "python a.py && python b.py --secret s | tee log",
        "python a.py && python b.py --secret *** | tee log",
    ),
    "an open quote": ("python t.py 'abc --token x", "python t.py 'abc --token ***"),
    "masked already": ("python t.py --token ***", None),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_secrets_are_masked_and_nothing_else_changes(name: str) -> None:
    command, expected = COMMANDS[name]
    assert masked(command) == (expected or command)
    assert masked(masked(command)) == masked(command)


def test_the_own_command_is_as_one_types_it() -> None:
    words = ["/usr/bin/python3.11", "-m", "pkg.train", "--name", "a b", "--token", "x"]
    assert command_text(words) == "python -m pkg.train --name 'a b' --token ***"


def test_a_command_is_bounded_and_always_text() -> None:
    assert len(masked("x" * 10 * MAX_COMMAND)) == MAX_COMMAND
    masked("python \udcff").encode("utf-8")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("git@github.com:acme/bot.git", "git@github.com:acme/bot.git"),
        ("https://github.com/acme/bot", "https://github.com/acme/bot"),
        ("https://user:pass@github.com/acme/bot", "https://github.com/acme/bot"),
        (f"https://{HF}@huggingface.co/a/b", "https://huggingface.co/a/b"),
        ("https://host/bot?private_token=x#y", "https://host/bot"),
        ("ssh://git:pass@host:22/bot", "ssh://git@host:22/bot"),
        ("/srv/git/bot.git", "/srv/git/bot.git"),
        ("https://[x", "***"),
    ],
)
def test_addresses_lose_their_credentials(address: str, kept: str) -> None:
    assert without_credentials(address) == kept
