"""`python -m common.http` writes the API's document and its reference anew."""

import sys

from common.http.endpoints.system import DOCUMENT
from common.http.openapi import document_text
from common.http.reference import REFERENCE, reference_text

if __name__ == "__main__":
    DOCUMENT.write_text(document_text(), encoding="utf-8")
    REFERENCE.write_text(reference_text(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n{REFERENCE}\n")
