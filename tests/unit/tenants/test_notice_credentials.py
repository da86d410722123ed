"""A credential for notices has a form by which something could be sent: what has none is told at once."""

import pytest

from common.tenants.notice_credentials import mail_violations, webhook_violations

A_PAGE = "https://hooks.example.com/runs"


@pytest.mark.parametrize(
    "url",
    [
        A_PAGE,
        "https://hooks.example.com",
        "HTTPS://Hooks.Example.com:8443/a?b=c%20d",
        "http://127.0.0.1:9000/x",
        "https://[2001:db8::1]/x",
    ],
)
def test_an_address_of_the_web_is_taken(url: str) -> None:
    assert list(webhook_violations({"url": url, "secret": "s" * 16})) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///path",
        "https://a host/",
        "https://hooks.example.com/\r\nX-Other: y",
        "https://exämple.com/",
        "https://user:secret@hooks.example.com/",
        "https://user@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:port/",
        "https://[bad",
        "https://" + "a" * 2000,
    ],
)
def test_an_address_to_which_nothing_could_be_sent_is_refused_without_being_repeated(url: str) -> None:
    (violation,) = webhook_violations({"url": url})
    assert violation.pointer == "/credentials/url"
    assert violation.rule.startswith("must be https://host/path")
    assert "user:secret" not in violation.rule


def test_all_that_is_wrong_with_a_webhook_is_told_at_once() -> None:
    told = [str(violation) for violation in webhook_violations({"url": "ftp://x", "secret": "short"})]
    assert told == [
        "/credentials/url: must begin with https://",
        "/credentials/secret: must have 16 characters or more",
    ]
    assert [str(violation) for violation in webhook_violations({})] == ["/credentials/url: is required"]


@pytest.mark.parametrize("sender", ["data@example.com", "Data <data@example.com>", '"Data, all" <d@e.fr>'])
def test_a_mail_server_is_taken(sender: str) -> None:
    assert list(mail_violations({"host": "smtp.example.com", "from": sender, "port": "465"})) == []
    assert list(mail_violations({"host": "smtp.example.com", "from": sender})) == []


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"host": ""}, "/credentials/host"),
        ({"host": "a host"}, "/credentials/host"),
        ({"host": "smtp.example.com\n"}, "/credentials/host"),
        ({"from": ""}, "/credentials/from"),
        ({"from": "nobody"}, "/credentials/from"),
        ({"from": "a@"}, "/credentials/from"),
        ({"from": "a@example.com\r\nBcc: b@example.com"}, "/credentials/from"),
        ({"port": "0"}, "/credentials/port"),
        ({"port": "65536"}, "/credentials/port"),
        ({"port": "-1"}, "/credentials/port"),
        ({"port": "²5"}, "/credentials/port"),
        ({"port": "smtp"}, "/credentials/port"),
        ({"port": ""}, "/credentials/port"),
    ],
)
def test_what_is_no_mail_server_is_refused(members: dict[str, str], pointer: str) -> None:
    told = mail_violations({"host": "smtp.example.com", "from": "data@example.com"} | members)
    assert [violation.pointer for violation in told] == [pointer]
