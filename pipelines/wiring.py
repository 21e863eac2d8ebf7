"""The deployment's settings as resources."""

from __future__ import annotations

from collections.abc import Iterable

from bagmill.deployment import AlertSettings, FolderName, ProfileChoice
from resources.alerts import AlertSink, LogSink, WebhookSink
from resources.profiles import ProfileRule, ProfileRules, Told


def alert_sink(settings: AlertSettings) -> AlertSink:
    """Where alerts go, as the deployment's file has it."""
    if settings.webhook is None:
        return LogSink()
    return WebhookSink(url=settings.webhook, timeout_s=settings.timeout_s, attempts=settings.attempts)


def profile_rules(choices: Iterable[ProfileChoice]) -> ProfileRules:
    """The rules for profiles, as the deployment's file has them."""
    return ProfileRules(
        rules=[
            ProfileRule(
                match=choice.match, profile=str(choice.profile), robot=_told(choice.robot), task=_told(choice.task)
            )
            for choice in choices
        ]
    )


def _told(said: str | FolderName | None) -> Told | None:
    if said is None:
        return None
    return Told(folder=said.folder) if isinstance(said, FolderName) else Told(text=said)
