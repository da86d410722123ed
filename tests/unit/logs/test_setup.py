import logging
import sys
from collections.abc import Iterator

import pytest

from common.logs import configure_logging, redaction
from common.logs.setup import PlatformHandler


@pytest.fixture(autouse=True)
def root_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    monkeypatch.setattr(redaction, "_known", set())
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    werkzeug = logging.getLogger("werkzeug")
    # A function that ran earlier in this process has set up logging already.
    root.handlers[:] = [handler for handler in handlers if not isinstance(handler, PlatformHandler)]
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    werkzeug.setLevel(logging.NOTSET)
    logging.captureWarnings(False)


def platform_handlers(root: logging.Logger) -> list[logging.Handler]:
    return [handler for handler in root.handlers if isinstance(handler, PlatformHandler)]


def test_logging_is_set_up_once_however_often_it_is_asked_for(root_as_before: logging.Logger) -> None:
    for _ in range(3):
        configure_logging(project="p")
    assert len(platform_handlers(root_as_before)) == 1


def test_console_handlers_of_the_framework_go_and_others_stay(root_as_before: logging.Logger) -> None:
    console, other = logging.StreamHandler(sys.stderr), logging.NullHandler()
    root_as_before.addHandler(console)
    root_as_before.addHandler(other)
    configure_logging(project="p")
    assert console not in root_as_before.handlers
    assert other in root_as_before.handlers


def test_an_event_comes_out_once(root_as_before: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logging.basicConfig(stream=sys.stdout, force=False)
    configure_logging(project="p", log_format="text")
    logging.getLogger("tests.setup").info("only once")
    assert capsys.readouterr().out.count("only once") == 1


def test_secrets_of_the_set_up_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(project="p", secrets=["hunter2"])
    logging.getLogger("tests.setup").info("the key is hunter2")
    assert "hunter2" not in capsys.readouterr().out


def test_debug_lines_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(project="p")
    logging.getLogger("tests.setup").debug("too much")
    assert capsys.readouterr().out == ""


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="LOG_FORMAT"):
        configure_logging(project="p", log_format="xml")
