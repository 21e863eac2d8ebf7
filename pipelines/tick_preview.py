"""Whether a tick is only looked at: the web UI's *Preview tick result* evaluates it, and must change nothing."""

from __future__ import annotations

import dagster as dg


def is_preview(context: dg.ScheduleEvaluationContext | dg.SensorEvaluationContext) -> bool:
    """Whether somebody only looks at what a tick would do.

    Dagster has no word for it. What the daemon evaluates logs under the number of its tick; a preview has no tick, and logs
    under the time of day, with a line between date and time. What is evaluated outside Dagster's processes has neither.
    """
    log_key = context.log_key
    return log_key is not None and not log_key[-1].isdecimal()
