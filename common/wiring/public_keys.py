"""Print the public half of CREDENTIALS_KEYRING: `make credentials-public-keys`.

It is what the functions that take secrets seal with (CREDENTIALS_PUBLIC_KEYS); it opens nothing.
"""

import os
import sys

from common.tenants.encryption import Keyring


def main() -> None:
    """Print it in one line."""
    sys.stdout.write(Keyring.read(os.environ.get("CREDENTIALS_KEYRING", "")).public() + "\n")


if __name__ == "__main__":
    main()
