"""What a file is served as: the Content-Type of every extension that front ends put out.

In: a key. Out: its Content-Type, the same on every machine. Never: reads the file, or a table of the machine.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Mapping

UNKNOWN = "application/octet-stream"
"""Browsers download it."""

PRECOMPRESSED = (".gz", ".br", ".zst")
"""Variants that build tools put beside their originals."""

TEXT_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".htm": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".cjs": "text/javascript",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".vtt": "text/vtt",
    ".srt": "text/plain",
    ".log": "text/plain",
    ".xml": "application/xml",
    ".xsl": "application/xml",
    ".rsc": "text/x-component",
}
"""Sent with charset=utf-8."""

TYPES: Mapping[str, str] = {
    ".json": "application/json",
    ".map": "application/json",
    ".jsonld": "application/ld+json",
    ".geojson": "application/geo+json",
    ".topojson": "application/json",
    ".json5": "application/json5",
    ".ndjson": "application/x-ndjson",
    ".webmanifest": "application/manifest+json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".wasm": "application/wasm",
    ".xhtml": "application/xhtml+xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".apng": "image/apng",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".pjpeg": "image/jpeg",
    ".pjp": "image/jpeg",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".ico": "image/vnd.microsoft.icon",
    ".cur": "image/x-icon",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".jxl": "image/jxl",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".ttc": "font/collection",
    ".otf": "font/otf",
    ".eot": "application/vnd.ms-fontobject",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".m4s": "video/iso.segment",
    ".webm": "video/webm",
    ".ogv": "video/ogg",
    ".mov": "video/quicktime",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".br": "application/x-brotli",
    ".zst": "application/zstd",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".usdz": "model/vnd.usdz+zip",
    ".ktx2": "image/ktx2",
    ".pkpass": "application/vnd.apple.pkpass",
    ".epub": "application/epub+zip",
    ".bin": UNKNOWN,
    ".dat": UNKNOWN,
    ".data": UNKNOWN,
    ".hdr": UNKNOWN,
    # The search index of Pagefind, which its script reads as bytes.
    ".pagefind": UNKNOWN,
    ".pf_meta": UNKNOWN,
    ".pf_index": UNKNOWN,
    ".pf_fragment": UNKNOWN,
    ".pf_filter": UNKNOWN,
}
"""Of what Vite, Create React App, Next export and Astro put out and serve; the rest comes from Python's own table, never from files
of the machine."""

NAMES: Mapping[str, str] = {
    # Apple, Supporting associated domains: application/json, without an extension.
    "apple-app-site-association": "application/json",
    "apple-developer-merchantid-domain-association": "text/plain; charset=utf-8",
    "apple-developer-domain-association": "text/plain; charset=utf-8",
    **dict.fromkeys(
        ("LICENSE", "LICENCE", "NOTICE", "README", "CHANGELOG", "CNAME", "_headers", "_redirects"), "text/plain; charset=utf-8"
    ),
}
"""Of files without an extension."""

_OTHER_TYPES = mimetypes.MimeTypes(filenames=())

COMPRESSIBLE = frozenset(
    {
        *("application/dash+xml", "application/eot", "application/font", "application/font-sfnt", "application/javascript"),
        *("application/json", "application/opentype", "application/otf", "application/pdf", "application/pkcs7-mime"),
        *("application/protobuf", "application/rss+xml", "application/truetype", "application/ttf", "application/vnd.apple.mpegurl"),
        *("application/vnd.mapbox-vector-tile", "application/vnd.ms-fontobject", "application/wasm", "application/xhtml+xml"),
        *("application/xml", "application/x-font-opentype", "application/x-font-truetype", "application/x-font-ttf"),
        *("application/x-httpd-cgi", "application/x-javascript", "application/x-mpegurl", "application/x-opentype", "application/x-otf"),
        *("application/x-perl", "application/x-ttf", "font/eot", "font/opentype", "font/otf", "font/ttf", "image/svg+xml", "text/css"),
        *("text/csv", "text/html", "text/javascript", "text/js", "text/plain", "text/richtext", "text/tab-separated-values", "text/xml"),
        *("text/x-component", "text/x-java-source", "text/x-script", "vnd.apple.mpegurl"),
    }
)
"""Types that CloudFront compresses where it may keep a file. Source, of the sizes as well: Developer Guide, "Serve compressed files"."""
COMPRESS_FROM, COMPRESS_TO = 1_000, 10_000_000
"""Bytes."""
_TEXT = re.compile(r"text/|.*(?:json|xml|yaml)\Z")
_NOTICED = 100_000
"""Bytes from which a visitor waits for what is sent as it is."""


def known_type(key: str) -> str:
    """The Content-Type of a key, by its last suffix or its name; "" if neither is known."""
    suffix = os.path.splitext(key)[1].lower()  # noqa: PTH122  (keys are no paths of this machine)
    if suffix in TEXT_TYPES:
        return f"{TEXT_TYPES[suffix]}; charset=utf-8"
    if not suffix:
        return NAMES.get(key.rsplit("/", 1)[-1], "")
    return TYPES.get(suffix) or _OTHER_TYPES.types_map[True].get(suffix) or ""


def content_type(key: str) -> str:
    """The Content-Type of a key."""
    return known_type(key) or UNKNOWN


def uncompressed(kind: str, size: int) -> bool:
    """Whether CloudFront sends a file as large as it is, though it would get much smaller. `kind` is its Content-Type, `size` in bytes."""
    bare = kind.partition(";")[0]
    if bare in COMPRESSIBLE:
        return size > COMPRESS_TO and bare != "application/pdf"
    return size > _NOTICED and _TEXT.match(bare) is not None
