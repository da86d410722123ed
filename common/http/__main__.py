"""`python -m common.http` writes the API's reference anew."""

import sys

from common.http.reference import REFERENCE, reference_text

if __name__ == "__main__":
    REFERENCE.write_text(reference_text(), encoding="utf-8")
    sys.stdout.write(f"{REFERENCE}\n")
