"""Profile and recording brought together: what exactly will be done, before anything expensive is.

Belongs here: which messages of which channel feed which columns of a feature, under which names, and every reason why they
cannot. `resolve` is pure; the later stages take the plan and look nothing up again. Stays out: which message feeds which
tick (`alignment`), reading anything (`encode`).
"""

from bagmill.plan.plan import FeaturePlan, IngestPlan, PartPlan
from bagmill.plan.resolve import resolve
from bagmill.plan.stamps import stamps_wanted

__all__ = ["FeaturePlan", "IngestPlan", "PartPlan", "resolve", "stamps_wanted"]
