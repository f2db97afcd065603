"""Finding orders by the buyer's name, which the database has only encrypted.

Beside the name stand keyed hashes of the beginnings of its words. The key is the seller
account's own, so the same name has other hashes in another account, and without the key
nobody can find out whose they are. They are deleted with the name.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import Q

from ..models import SellerAccount

#: Beginnings of fewer letters would find too many. Whole words are found however short,
#: and words in scripts that need few signs for a name from the first sign on.
SHORTEST = 3
#: Beginnings beyond that tell nobody apart.
LONGEST = 15
#: Words of a name that are looked at: what is longer is no name.
MOST_WORDS = 12
#: The first of the scripts that write a word in a few signs (CJK radicals onwards).
_FEW_SIGNS = "\u2e80"


def ensure_key(account_id: int) -> str:
    """The key of the account's hashes of buyers, which is made once and for all."""
    with transaction.atomic():
        account = SellerAccount.objects.select_for_update(no_key=True).get(
            pk=account_id
        )
        if not account.customer_key:
            account.customer_key = secrets.token_urlsafe(32)
            account.save(update_fields=["customer_key"])
    return account.customer_key


def hashes(key: str, name: str) -> list[int]:
    """What a name is found by: numbers of 64 bits."""
    found = {
        beginning
        for word in _words(name)
        for beginning in (*_beginnings(word), word[:LONGEST])
    }
    return sorted(_hashes(key, found))


def having(text: str, using: str) -> Q:
    """Orders whose buyer's name has a word beginning with each word of ``text``; none
    where it has no word."""
    words = sorted({word[:LONGEST] for word in _words(text)})
    if not words:
        return Q(pk__in=())
    accounts = SellerAccount.objects.using(using).exclude(customer_key="")
    keys = sorted(accounts.values_list("customer_key", flat=True))
    condition = Q()
    for word in words:
        # Of whichever account: no other has the same hash, and asking for the account
        # as well would read the index of all its orders.
        wanted = sorted(each for key in keys for each in _hashes(key, [word]))
        condition &= Q(buyer_search__overlap=wanted)
    return condition


def _words(text: str) -> list[str]:
    plain = "".join(
        sign
        for sign in unicodedata.normalize("NFKD", text).casefold()
        if not unicodedata.combining(sign)
    )
    signs = "".join(sign if sign.isalnum() else " " for sign in plain)
    return signs.split()[:MOST_WORDS]


def _beginnings(word: str) -> Iterator[str]:
    shortest = 1 if word[0] >= _FEW_SIGNS else SHORTEST
    for length in range(shortest, min(len(word), LONGEST) + 1):
        yield word[:length]


def _hashes(key: str, texts: Iterable[str]) -> set[int]:
    return {
        int.from_bytes(
            hmac.digest(key.encode(), b"name\0" + text.encode(), hashlib.sha256)[:8],
            signed=True,
        )
        for text in texts
    }
