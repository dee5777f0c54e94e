"""Any texts of an older policy: what they are converted to parses, and is its own conversion."""

from __future__ import annotations

from fuzz.vocabulary import TODAY, golden

from sekisho.convert.capabilities import INSTEAD
from sekisho.convert.dialect import Dialect
from sekisho.convert.settle import PARSERS
from sekisho.convert.whole import KINDS, Source, convert
from sekisho.learn.rewrite import RewriteRules
from sekisho.policy.model import Policy

WORDS = (
    *TODAY,
    *INSTEAD,
    *"allow_read allow_write allow_read/write allow_execute allow_create allow_mkdir allow_mkblock allow_ioctl "
    "allow_mount allow_rewrite allow_truncate allow_network TCP UDP RAW allow_env allow_capability allow_signal "
    "allow_transit allow_argv0 execute_handler denied_execute_handler ignore_global_allow_read ignore_global_allow_env "
    "deny_rewrite file_pattern alias if ; set task.state[0]=1 audit=no PROFILE_VERSION=20090903 PREFERENCE::learning= "
    "-MAC_FOR_FILE= -MAX_ACCEPT_ENTRY= -TOMOYO_VERBOSE= file::umount file::rewrite inet_udp_connect "
    "penalty= max_entry= socket:[family=1:type=1:protocol=0] sysfs:/ /proc/\\$/ /sys/kernel/security/".split(),
)
_DIALECTS = (None, *Dialect)
SEEDS = tuple(
    bytes([dialect % len(_DIALECTS)]) + b"\0".join(texts)
    for dialect, texts in enumerate(zip(*(golden(kind) for kind in KINDS), strict=True))
)


def one(data: bytes) -> None:
    """The first byte chooses the version; NUL separates domain policy, exception policy, profile and manager."""
    dialect = _DIALECTS[data[0] % len(_DIALECTS)] if data else None
    texts = data[1:].decode("ascii", "surrogateescape").split("\0", 3)
    done = convert([Source(kind, kind, text) for kind, text in zip(KINDS, texts, strict=False)], dialect)
    assert all(text.isascii() for text in done.texts.values())
    policy = Policy()
    for kind in KINDS:
        PARSERS[kind](done.texts.get(kind, ""), policy, source=kind)
    RewriteRules.parse(done.texts.get("rewrite", ""), "rewrite")
    if "profile" in done.texts:
        for domain in policy.domains.values():
            assert domain.profile in policy.namespaces[domain.namespace].profiles
    sources = [Source(kind, kind, text) for kind, text in done.texts.items() if kind in KINDS]
    again = convert(sources, Dialect.TODAY)
    assert again.texts == {source.kind: source.text for source in sources}
    assert not again.remarks
    for remark in done.remarks:
        assert str(remark).isprintable() and remark.reason
