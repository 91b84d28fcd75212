"""Tests in a real browser; a package, because tests/unit has a test_page too."""
