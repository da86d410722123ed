"""Uploaded bytes, read as one document: YAML or JSON, whatever the content type says of the two."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE

from common import strict_json
from common.errors import InputTooLarge, MalformedInput, UnsupportedContentType
from common.pipelines.origins import with_json_origins
from common.pipelines.yaml_documents import MAX_DEPTH, Document, Value, YamlViolation, read_yaml

MAX_BYTES = 256 * 1024

# curl calls the body of `-d @file` a form unless told otherwise; the body is the file all the same.
_CONTENT_TYPES = {
    "",
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/x-yaml",
    "application/yaml",
    "text/json",
    "text/plain",
    "text/x-yaml",
    "text/yaml",
}
_CHARSETS = {"", "utf-8", "utf8", "us-ascii"}

_KEYS = ("pipeline", "steps")
"""What every file has: a text with neither is none that curl has sent."""
_LOST_LINE_BREAKS = (
    "the text has no line breaks; `curl -d @file` strips them: send the file with `--data-binary @file`"
)


def read_document(body: bytes, content_type: str | None) -> Document:
    """Read an uploaded file into plain values; its text is what `document_text` gives.

    Raises UnsupportedContentType, InputTooLarge (over 256 KiB, or nested too deeply) or MalformedInput.
    """
    _check_content_type(content_type or "")
    text = document_text(body)
    value = _read_json(text) if text.lstrip().startswith("{") else None
    return value if value is not None else _read_yaml_document(text)


def document_text(body: bytes) -> str:
    """Decode an uploaded file: UTF-8, with or without a byte order mark."""
    if len(body) > MAX_BYTES:
        raise InputTooLarge(f"the file has {len(body):,} bytes; a pipeline may have {MAX_BYTES:,}")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_utf_16 = body.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        how = "it is UTF-16, so save it as UTF-8" if is_utf_16 else f"byte {error.start} is not"
        raise MalformedInput(f"must be UTF-8 text; {how}") from None


def _check_content_type(content_type: str) -> None:
    media_type, _, rest = content_type.partition(";")
    charset = rest.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    if media_type.strip().lower() not in _CONTENT_TYPES or charset not in _CHARSETS:
        raise UnsupportedContentType(
            f"cannot read a pipeline sent as {content_type!r}: send YAML or JSON in UTF-8, "
            "for example with `-H 'Content-Type: application/yaml' --data-binary @file`"
        )


def _read_json(text: str) -> Document | None:
    """Read JSON; None where the text is none (a YAML mapping in braces starts just like it)."""
    try:
        value = strict_json.parse(text)
    except (strict_json.NoJson, strict_json.TooDeep):
        return None
    except strict_json.NamedTwice as violation:
        raise MalformedInput(f"has the key {violation.key!r} twice in one object") from None
    except strict_json.NotFinite as violation:
        raise MalformedInput(f"holds the number {violation}, which is not finite") from None
    except strict_json.TooManyDigits:
        raise MalformedInput("holds a number with too many digits") from None
    _check_values(value)
    return with_json_origins(value, text) if isinstance(value, dict) else None


def _read_yaml_document(text: str) -> Document:
    try:
        value = read_yaml(text)
    except YamlViolation as violation:
        raise MalformedInput(_with_line_breaks_in_mind(str(violation), text), line=violation.line) from None
    if isinstance(value, dict):
        _check_values(value)
        return value
    rule = "must be a mapping with the keys `pipeline` and `steps`"
    raise MalformedInput(_with_line_breaks_in_mind(rule, text))


def _with_line_breaks_in_mind(rule: str, text: str) -> str:
    """Add to a rule where the line breaks went that a file of several lines must have had."""
    is_one_line = len(text.strip().splitlines()) == 1
    is_pipeline = any(f"{key}:" in text for key in _KEYS)
    return f"{rule}; {_LOST_LINE_BREAKS}" if is_one_line and is_pipeline else rule


def _check_values(document: Value) -> None:
    """Refuse what no message could carry: deep nesting, and half characters."""
    try:
        strict_json.check_values(document, MAX_DEPTH, scalars_count=True, takes_nul=True)
    except strict_json.HalfCharacter:
        raise MalformedInput("holds half of a surrogate pair, which is no character") from None
    except strict_json.TooDeep:
        raise InputTooLarge(f"the document is nested more than {MAX_DEPTH} levels deep") from None
