"""Many files to S3 at once: the AWS CRT transfer manager where it is installed, threads of PutObject where it is not.

In: files with their key, digest and headers. Out: each of them, as it has arrived.
Never: splits a file into parts (its ETag stays the MD5 of the content), writes one whose content is not what its digest says (S3 compares
and refuses), or keeps more than a batch of them in memory.

boto3 itself reaches the CRT through `TransferConfig(preferred_transfer_client="crt")`, but then sends to AWS whatever endpoint its client
has; so s3transfer's manager is made here. The CRT does TLS, signing, checksums and retries outside of Python's lock.
"""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aws.errors import Origin, translated
from aws.s3 import Headers

if TYPE_CHECKING:
    from aws.s3 import S3

BATCH = 500
"""Files under way at most."""

THREADS = 16
"""For PutObject without the CRT; more do not help, since Python's lock is what holds them up."""

ONE_PART = 5 * 1024**3
"""Bytes from which a transfer would be split: the most that one PutObject takes."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file and what becomes of it."""

    path: Path
    """For the CRT, which opens files by itself."""
    open: Callable[[], BinaryIO]
    """Opens it, and raises OSError for what must not be opened: a file may have become a pipe or a link since it was checked."""
    key: str
    checksum: str
    """SHA-256, base64."""
    headers: Headers


TARGET_THROUGHPUT = 12_500_000_000
"""Bytes a second that the CRT aims for. It derives the number of connections from it, and many small files wait for round trips, not
for bandwidth: the default of a tenth keeps too few of them under way (benchmarks/publish.py)."""


class Transfer:
    """Uploads to the buckets of one account and region. Make one a run: the CRT starts threads of its own."""

    def __init__(self, s3: S3, *, crt: bool | None = None) -> None:
        """`crt`: None takes it if it is installed and no proxy is in the way, which it would go past."""
        self._s3 = s3
        self._crt = _crt_manager(s3) if crt or (crt is None and crt_installed() and not _proxied(s3)) else None

    def upload(self, bucket: str, uploads: Iterable[Upload]) -> Iterator[Upload]:
        """Upload all; yields what has arrived, in any order. Raises `AwsError` for the first that fails; others may have arrived."""
        if self._crt is None:
            yield from self._by_threads(bucket, uploads)
            return
        remaining = iter(uploads)
        while batch := list(itertools.islice(remaining, BATCH)):
            yield from self._by_crt(self._crt, bucket, batch)

    def _by_crt(self, make: Callable[[], Any], bucket: str, batch: list[Upload]) -> Iterator[Upload]:
        cause: BaseException | None = None
        with translated(self._origin()):
            try:
                with make() as manager:
                    try:
                        futures = [manager.upload(_checked(e), bucket, e.key, extra_args=self._arguments(e)) for e in batch]
                        for each, future in zip(batch, futures, strict=True):
                            future.result()
                            yield each
                    except BaseException as error:
                        cause = _behind(error)
                        raise
            except BaseException:
                # Leaving the manager cancels what is under way, and raises that in place of what it was cancelled for.
                if cause is not None:
                    raise cause from None
                raise

    def _by_threads(self, bucket: str, uploads: Iterable[Upload]) -> Iterator[Upload]:
        """A window of files, so that a list of any length is walked once and never held."""
        remaining = iter(uploads)
        with ThreadPoolExecutor(THREADS) as pool:
            running: dict[Future[None], Upload] = {}
            try:
                while True:
                    for each in itertools.islice(remaining, 2 * THREADS - len(running)):
                        running[pool.submit(self._put, bucket, each)] = each
                    if not running:
                        return
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        each = running.pop(done)
                        done.result()
                        yield each
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _put(self, bucket: str, each: Upload) -> None:
        with each.open() as body:
            self._s3.client.put_object(Bucket=bucket, Key=each.key, Body=body, **self._arguments(each))

    def _arguments(self, each: Upload) -> dict[str, Any]:
        optional = {"CacheControl": each.headers.cache_control, "ContentEncoding": each.headers.content_encoding}
        return {
            "ContentType": each.headers.content_type,
            "ChecksumSHA256": each.checksum,
            "ExpectedBucketOwner": self._s3.account_id,
            **{name: value for name, value in optional.items() if value},
        }

    def _origin(self) -> Origin:
        return Origin(service="s3", operation="PutObject", account=self._s3.account_id, region=self._s3.region)


def _checked(each: Upload) -> str:
    """The path for the CRT. Between this look and the CRT's own a change stays possible: S3 refuses other bytes, by their checksum."""
    each.open().close()
    return str(each.path)


def _behind(error: BaseException) -> BaseException:
    """The interrupt that s3transfer hides behind the cancellations it causes; else the error itself."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return seen
        seen = seen.__context__
    return error


def crt_installed() -> bool:
    """Whether `awscrt` (boto3[crt]) can be used; not where its binary does not fit the machine."""
    try:
        importlib.import_module("awscrt.s3")
    except ImportError:
        return False
    return True


def _isolated(s3: S3) -> bool:
    """Whether its client was made to go past the caller's proxies and settings: a local AWS's."""
    config: Any = s3.client.meta.config
    return bool(config.proxies == {})


def _proxied(s3: S3) -> bool:
    from botocore.utils import get_environ_proxies

    return not _isolated(s3) and bool(get_environ_proxies(s3.client.meta.endpoint_url))


def _ca_bundle() -> str | None:
    """As botocore finds it: the AWS configuration, else what other tools are told."""
    from botocore.session import Session

    found: str | None = Session().get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return found


def _crt_manager(s3: S3) -> Callable[[], Any]:
    """A maker of transfer managers over one CRT client; a manager remembers every transfer, so it serves one batch."""
    from botocore.session import Session
    from s3transfer.crt import BotocoreCRTCredentialsWrapper, BotocoreCRTRequestSerializer, CRTTransferManager, create_s3_crt_client
    from s3transfer.manager import TransferConfig

    from aws.session import isolated_session

    client: Any = s3.client
    endpoint: str = client.meta.endpoint_url
    credentials = BotocoreCRTCredentialsWrapper(client._get_credentials()).to_crt_credentials_provider()
    custom = None if ".amazonaws.com" in endpoint else endpoint
    session = isolated_session() if _isolated(s3) else Session()
    serializer = BotocoreCRTRequestSerializer(session, {"region_name": s3.region, "endpoint_url": custom})
    with translated(Origin(service="s3", account=s3.account_id, region=s3.region)):
        made = create_s3_crt_client(
            s3.region,
            credentials,
            target_throughput=TARGET_THROUGHPUT,
            use_ssl=not endpoint.startswith("http://"),
            verify=None if _isolated(s3) else _ca_bundle(),
        )
    config = TransferConfig(multipart_threshold=ONE_PART)
    return lambda: CRTTransferManager(made, serializer, config=config)
