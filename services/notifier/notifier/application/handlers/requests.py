"""Turn a request of a playbook into a notification of ours."""

import msgspec

from csm_common.contracts.notifications import NotificationRequest
from notifier.domain.notification import Notification, Wanted


def notification_of(
    request_id: str, request: NotificationRequest, traceparent: str | None = None
) -> Notification:
    """The notification for the request with this id."""
    return Notification(
        id=request_id,
        account_id=request.account_id,
        run_id=request.run_id,
        playbook=request.playbook,
        playbook_version=request.playbook_version,
        step=request.step,
        channel=request.channel,
        category=request.category,
        message_class=request.message_class,
        template=request.template,
        recipients=tuple(Wanted(each.kind, each.value) for each in request.recipients),
        requested_at=request.requested_at,
        expires_at=request.expires_at,
        context=request.context,
        chain=msgspec.to_builtins(request.chain),
        priority=request.priority,
        if_held=request.if_held,
        traceparent=traceparent,
    )
