"""Files for browsers: compressed once, kept by browsers, and never instead of anything else."""

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import assets
from dashboard.assets import Compressed, compress

STYLE = "/assets/culex.css"
GZIP = {"Accept-Encoding": "gzip"}


def fetched(browser: FlaskClient, path: str, **headers: str) -> TestResponse:
    """The answer, read to its end."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.get(path, headers=given, buffered=True)


def test_asset_goes_out_compressed_and_is_whole(stranger: FlaskClient) -> None:
    """The style sheet that every page waits for, in all that browsers understand."""
    plain = fetched(stranger, STYLE)
    for encoding in ("gzip", "br", "zstd"):
        answer = fetched(stranger, STYLE, Accept_Encoding=encoding)
        assert answer.headers["Content-Encoding"] == encoding
        assert len(answer.data) < len(plain.data) / 2
        assert "Accept-Encoding" in answer.headers["Vary"]
    zipped = fetched(stranger, STYLE, Accept_Encoding="gzip")
    assert gzip.decompress(zipped.data) == plain.data


def test_asset_of_a_version_is_kept_for_ever_and_others_are_asked_for_again(
    stranger: FlaskClient,
) -> None:
    """Dash adds the time of the last change to an address: another file has another one."""
    assert "immutable" in fetched(stranger, f"{STYLE}?m=1.5").headers["Cache-Control"]
    answer = fetched(stranger, STYLE)
    assert "immutable" not in answer.headers["Cache-Control"]
    assert fetched(stranger, STYLE, If_None_Match=answer.headers["ETag"]).status_code == 304


def test_file_is_compressed_once_and_a_page_never_kept() -> None:
    """The second answer is the first; what is no file is made anew each time."""
    server = Flask("test", static_folder=None)
    compress(server)
    counts = {"file": 0, "page": 0}

    @server.get("/assets/style.css")
    def file() -> tuple[str, dict[str, str]]:
        counts["file"] += 1
        return f"{counts['file']} {'x' * 1000}", {"Content-Type": "text/css"}

    @server.get("/page")
    def page() -> str:
        counts["page"] += 1
        return f"{counts['page']} {'x' * 1000}"

    browser = server.test_client()

    def first(path: str) -> str:
        return gzip.decompress(browser.get(path, headers=GZIP).data).decode().split()[0]

    assert [first("/assets/style.css?m=1") for _ in range(2)] == ["1", "1"]
    assert first("/assets/style.css?m=2") == "3", "it has changed"
    assert [first("/page") for _ in range(2)] == ["1", "2"]


def test_made_up_names_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept stays below its bound."""
    monkeypatch.setattr(assets, "_MOST_BYTES", 1000)
    kept = Compressed()
    for number in range(100):
        kept.set(f"br;/assets/x.css?m={number}", bytes(300))
        assert sum(len(one) for one in kept._kept.values()) <= 1000
    kept.set("br;", b"a page")
    assert kept.get("br;") is None
