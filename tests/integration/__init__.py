"""The proxy as a whole: real processes, real drivers, a real PostgreSQL."""

import pytest

pytest.register_assert_rewrite("tests.integration.place")
