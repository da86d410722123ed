"""What the tests of tenants share."""

import pytest

from tests.fakes.onboarding import OnboardingPlatform


@pytest.fixture
def platform() -> OnboardingPlatform:
    return OnboardingPlatform()
