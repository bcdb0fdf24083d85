"""ETags: 304 for whoever has the answer, weakly compared, and the answer for all others."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from csm_common.web.etags import conditional, etag_of

TAG = etag_of(b"body")


def asked(header: str | None) -> Request:
    """A request with this If-None-Match."""
    headers = [] if header is None else [(b"if-none-match", header.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"x", {TAG}', "*", f' "y" ,W/{TAG} '])
@pytest.mark.parametrize("tag", [TAG, f"W/{TAG}"])
def test_who_has_it_is_told_so(header: str, tag: str) -> None:
    answer = conditional(asked(header), Response(b"body"), tag)
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("header", [None, "", '"x"', TAG.strip('"')])
def test_who_has_not_gets_it(header: str | None) -> None:
    answer = conditional(asked(header), Response(b"body"), TAG)
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (200, b"body", TAG)


def test_tags_tell_bodies_apart() -> None:
    assert etag_of(b"body") == TAG != etag_of(b"other")
    assert etag_of(b"body", weak=True) == f"W/{TAG}"
