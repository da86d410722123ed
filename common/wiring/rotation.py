"""Seal all credentials under the active key of the ring: `make rotate-credentials`.

Add a key to CREDENTIALS_KEYRING, make it the active one, deploy, run this; then the old key can go. It can be
run again, and while tenants change their credentials.
"""

import logging

from common.wiring import ACCOUNTS

logger = logging.getLogger(__name__)


def main() -> None:
    """Rotate, and say how many credentials were sealed anew."""
    count = ACCOUNTS.credentials.rotate()
    logger.info("credentials rotated", extra={"count": count})


if __name__ == "__main__":
    main()
