"""What several tests of this folder stand on."""

from tests.integration.conftest import city, pool, programs

__all__ = ["city", "pool", "programs"]
