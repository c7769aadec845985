"""Names that change with their content, as bundlers write them, and names that do not."""

from __future__ import annotations

import pytest

from files.hashes import hashed_folders, hashed_names, seems_hashed


@pytest.mark.parametrize(
    "path",
    [
        "assets/index-DiwrgTda.js",  # Vite
        "assets/inter-latin-400-normal-C38fXH4l.woff2",
        "static/js/main.1a2b3c4d.js",  # Create React App
        "static/js/main.1a2b3c4d.js.LICENSE.txt",
        "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
        "_next/static/chunks/0c9b1e2fd7a64c1b.js",  # Next
        "_next/static/media/4cf2300e9c8272f7-s.p.woff2",
        "_astro/hoisted.CAbc1234.js",
        "_app/immutable/entry/start.BxY12abc.js",  # SvelteKit
        "media/roboto-ABCD1234.woff2",  # Angular
        "chunk-ABCDEFGH.js",
        "assets/index-abcdefgh.js",
    ],
)
def test_what_bundlers_name(path: str) -> None:
    assert seems_hashed(path)


@pytest.mark.parametrize(
    "path",
    ["assets/env.js", "assets/config.json", "assets/i18n/en.json", "assets/logo.png", "assets/hero-background.jpg", "assets/index.js", "a"],
)
def test_what_people_name(path: str) -> None:
    assert not seems_hashed(path)


def test_folders_of_a_build() -> None:
    built = [
        *("index.html", "favicon.ico", "_next/static/css/aa-0123456789.css", "_next/static/chunks/a-0123456789.js"),
        *("_next/static/chunks/pages/b-0123456789.js", "_next/static/BUILD/_buildManifest.js", "_next/static/css/bb-0123456789.css"),
        *("media/one-ABCD1234.png",),
    ]
    assert hashed_folders(built) == ("_next/static/chunks", "_next/static/css")
    assert hashed_folders(("_astro/a.CAbc1234.js", "_astro/x/b.CAbc1234.js")) == ("_astro",)


def test_files_at_the_top_of_a_build() -> None:
    angular = [
        "main-ABCDEFG2.js",
        "polyfills-B6TNHZQ6.js",
        "my-long-named-chunk-2JQ7WX3K.js",
        "styles-5INURTSO.css",
        "index.html",
        "ngsw-worker.js",
        "safety-worker.js",
    ]
    assert hashed_names(angular) == ("*-????????.css", "*-????????.js")
    older = ["main.1a2b3c4d5e6f7a8b.js", "runtime.0c9b1e2fd7a64c1b.js", "styles.ef46db3751d8e999.css", "index.html"]
    assert hashed_names(older) == ("*.????????????????.css", "*.????????????????.js")
    # A name without a hash that the pattern would take along, a single file, and files in folders.
    assert hashed_names([*angular, "sw-precache.js"]) == ("*-????????.css",)
    assert hashed_names(["app-ABCDEFG2.js", "index.html"]) == ()
    assert hashed_names(["assets/app-ABCDEFG2.js", "assets/b-ABCDEFG3.js"]) == ()
