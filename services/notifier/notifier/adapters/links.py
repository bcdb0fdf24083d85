"""The links of a message: how to hear no more of it, and, where the settings want it, what tells of opens and clicks."""

import re
from dataclasses import replace
from datetime import timedelta
from html import escape, unescape

from notifier.adapters.tokens import ReturnAddresses, Tokens
from notifier.application.ports import Begun, Links, Rendered
from notifier.application.responses import Claims, Purpose

_PREFERENCES_LAST = timedelta(days=400)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")
_HREF = re.compile(r"""(<a\b[^>]*?\shref=)("https?://[^"]{1,1500}"|'https?://[^']{1,1500}')""", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class SignedLinks:
    """Implements Linker. Links are there for messages to one person that are not our own team's."""

    def __init__(
        self,
        tokens: Tokens,
        public_url: str | None = None,
        addresses: ReturnAddresses | None = None,
        *,
        tracking: bool = False,
    ) -> None:
        """`public_url` is where people reach the service, `addresses` are those that mails may come back to."""
        self._tokens = tokens
        self._public_url = public_url.rstrip("/") if public_url else None
        self._addresses = addresses
        self._tracking = tracking

    def links(self, begun: Begun) -> Links:
        """Unsubscribing for marketing, preferences for whatever goes to a customer, and where bounces of any mail go."""
        id_, addresses = begun.notification.id, self._addresses
        bounces_to = addresses.bounces(id_) if addresses and begun.notification.channel == "email" else None
        if not _is_for_a_customer(begun):
            return Links(bounces_to=bounces_to)
        marketing = begun.notification.message_class == "marketing"
        unsubscribes = addresses.unsubscribes(id_) if addresses and marketing else None
        return Links(
            unsubscribe=self._link("unsubscribe", begun) if marketing else None,
            preferences=self._link("preferences", begun),
            unsubscribe_mail=f"{unsubscribes}?subject=unsubscribe" if unsubscribes else None,
            bounces_to=bounces_to,
        )

    def marked(self, begun: Begun, words: Rendered) -> Rendered:
        """With a picture that tells of opens and links that tell of clicks, where the settings want it; else as they are."""
        if (
            not self._tracking
            or self._public_url is None
            or words.html is None
            or not _is_for_a_customer(begun)
        ):
            return words
        html = _HREF.sub(_Numbered(self, begun.notification.id), words.html)
        picture = f'<img src="{self._opens(begun.notification.id)}" width="1" height="1" alt="">'
        end = max((each.start() for each in _BODY_END.finditer(html)), default=len(html))
        return replace(words, html=f"{html[:end]}{picture}{html[end:]}")

    def click(self, notification_id: str, url: str, number: int) -> str:
        """The link that tells of a click and leads to `url`; the address is inside the token, so it leads nowhere else."""
        token = self._tokens.sign(Claims(notification_id=notification_id, url=url, number=number), "click")
        return f"{self._public_url}/v1/c/{token}"

    def ours(self, url: str) -> bool:
        """Whether the address is one of this service."""
        return self._public_url is not None and url.startswith(f"{self._public_url}/")

    def _opens(self, notification_id: str) -> str:
        return f"{self._public_url}/v1/o/{self._tokens.sign(Claims(notification_id=notification_id), 'open')}.gif"

    def _link(self, purpose: Purpose, begun: Begun) -> str | None:
        if self._public_url is None:
            return None
        # Dated from the request, so that a repeat of the message has the same links. Saying no stays possible for good.
        until = begun.notification.requested_at + _PREFERENCES_LAST if purpose == "preferences" else None
        return f"{self._public_url}/v1/{purpose}/{self._tokens.sign(_claims(begun), purpose, until)}"


class _Numbered:
    """Replaces the links of one message, counting them from 1."""

    def __init__(self, links: SignedLinks, notification_id: str) -> None:
        self._links = links
        self._id = notification_id
        self._number = 0

    def __call__(self, found: re.Match[str]) -> str:
        url = unescape(found.group(2)[1:-1])
        if self._links.ours(url):
            return found.group(0)
        self._number += 1
        return f'{found.group(1)}"{escape(self._links.click(self._id, url, self._number))}"'


def _is_for_a_customer(begun: Begun) -> bool:
    return begun.person is not None and begun.notification.message_class != "internal"


def _claims(begun: Begun) -> Claims:
    notification, recipient = begun.notification, begun.recipient
    language = _LANGUAGE.match(recipient.locale or "")
    return Claims(
        notification_id=notification.id,
        account_id=notification.account_id,
        contact_id=recipient.contact_id,
        person=begun.person,
        category=notification.category,
        language=language.group(0).lower() if language else None,
    )
