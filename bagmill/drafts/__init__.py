"""A profile to start from, drafted from what a recording holds.

Belongs here: which channels are worth a feature, what to call it, the clock, rates and tolerances that fit, and the
YAML that says why. Stays out: what a profile is (`profile`), whether one fits a recording (`plan`), the scan
(`streams`), the command (`cli`).
"""

from bagmill.drafts.candidates import Candidate, find_candidates, why_no_candidates
from bagmill.drafts.clock import listed
from bagmill.drafts.draft import ProfileDraft, draft_profile
from bagmill.drafts.features import FeatureDraft
from bagmill.drafts.inventory import innermost
from bagmill.drafts.look import RecordingValues
from bagmill.drafts.pace import Pace, measure_pace
from bagmill.drafts.second_look import look_again
from bagmill.drafts.soundness import why_unsound
from bagmill.drafts.stamp_fields import wanted_stamps
from bagmill.drafts.yaml_text import profile_yaml

__all__ = [
    "Candidate",
    "FeatureDraft",
    "Pace",
    "ProfileDraft",
    "RecordingValues",
    "draft_profile",
    "find_candidates",
    "innermost",
    "listed",
    "look_again",
    "measure_pace",
    "profile_yaml",
    "wanted_stamps",
    "why_no_candidates",
    "why_unsound",
]
