"""Names that last as long as a repair: by them, what one that was stopped left behind is known."""

from hashlib import sha256

from cascade.core.layout import MAX_IDENTIFIER_BYTES, Index, clipped


def beside(index: str) -> str:
    """The name of an index that a constraint is to take over, in the stead of one that is still there."""
    return _prefixed(_BESIDE, index)


def is_beside(index: Index) -> bool:
    """Whether it was built for a constraint that has not taken it over."""
    return index.name.startswith(_BESIDE)


def aside(index: str) -> str:
    """The name under which an index that differs waits until another is built in its stead."""
    return _prefixed("cascade_replaced_", index)


def not_null_proof(column: str) -> str:
    """The name of the check that proves, without a lock that anybody feels, that the column holds no NULL."""
    return _prefixed("cascade_not_null_", column)


def while_rebuilt(index: str) -> tuple[str, ...]:
    """The names that ``REINDEX CONCURRENTLY`` gives what it builds, in the order in which it tries them.

    >>> while_rebuilt("x" * 63)[0] == "x" * 57 + "_ccnew", while_rebuilt("team")
    (True, ('team_ccnew', 'team_ccnew1'))
    """
    return tuple(clipped(index, room_for=end) + end for end in ("_ccnew", "_ccnew1"))


_BESIDE = "cascade_new_"


def _prefixed(prefix: str, name: str) -> str:
    """Prefix and name; where PostgreSQL would cut them, a digest, for the names of a table often begin alike.

    >>> _prefixed("cascade_new_", "one_member")
    'cascade_new_one_member'
    >>> long = "a_table_with_a_long_name_and_a_column_too_1b2c3d4e"
    >>> _prefixed("cascade_replaced_", long) == _prefixed("cascade_replaced_", f"{long}_like")
    False
    """
    whole = prefix + name
    if len(whole.encode()) <= MAX_IDENTIFIER_BYTES:
        return whole
    digest = f"_{sha256(name.encode()).hexdigest()[:8]}"
    return clipped(whole, room_for=digest) + digest
