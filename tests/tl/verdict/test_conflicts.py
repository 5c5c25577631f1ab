"""Known conflicts of the literature come out as mixed, or turn with the cancer; never silently as one side."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cafsc import sig
from cafsc._config import VerdictConfig
from cafsc.tl.verdict.call import patient_outcome
from cafsc.tl.verdict.claims import WeightedClaim, weighted_claims
from cafsc.tl.verdict.weigh import Call, weigh

OPEN = ("mixed", "undetermined")


@dataclass(frozen=True)
class Cluster:
    """Subjects that are fully present, in a cluster made by hand."""

    subjects: tuple[str, ...]

    def claims(self, cancer: str | None) -> list[WeightedClaim]:
        catalogue = sig.load()
        here = set(self.subjects)
        missing = {s for s in here if not catalogue.claims_about(s)}
        assert not missing, f"no claim is about {missing}"
        entries = [(entry, 1.0) for entry in catalogue.claims if entry.claim.about in here]
        return weighted_claims(entries, catalogue, cancer, "human")

    def call(self, cancer: str | None) -> Call:
        return weigh(self.claims(cancer), VerdictConfig())


MYOFIBROBLAST = Cluster(
    (
        "state:myCAF",
        "set:mcandrews2022/aSMA-pos",
        "set:chen2021/COL1-myofibroblast",
        "set:kieffer2020/ecm-myCAF",
        "set:costa2018/CAF-S1",
        "set:dominguez2020/LRRC15-CAF",
        "set:cords2023/mCAF",
        "set:ma2023/mCAF",
    )
)
INFLAMMATORY = Cluster(("state:iCAF", "set:cords2023/iCAF", "set:ma2023/iCAF", "set:wu2020/iCAF"))
ANTIGEN_PRESENTING = Cluster(("state:apCAF", "set:elyada2019/apCAF"))
FAP = (
    "set:mcandrews2022/FAP-pos",
    "set:feig2013/FAP-CXCL12",
    "set:hussain2020/FAP-high",
    "set:costa2018/CAF-S1",
)
METABOLIC = Cluster(("set:wang2021/meCAF",))


def test_alpha_sma_promotes_in_breast_and_is_contested_in_pancreas() -> None:
    assert MYOFIBROBLAST.call("breast").call == "pro"
    found = MYOFIBROBLAST.call("pancreas")
    assert (found.call, found.reason) == ("mixed", "both_sides")
    against = {
        item.entry.paper.key
        for item in MYOFIBROBLAST.claims("pancreas")
        if item.entry.claim.effect == "anti" and item.weight >= 0.5
    }
    assert {"ozdemir2014", "chen2021"} <= against


def test_alpha_sma_alone_is_never_pro_in_pancreas() -> None:
    found = Cluster(("set:mcandrews2022/aSMA-pos",)).call("pancreas")
    assert found.call in (*OPEN, "anti")


def test_icaf_is_contested_in_lung_and_not_in_triple_negative_breast() -> None:
    assert INFLAMMATORY.call("tnbc").call == "pro"
    found = INFLAMMATORY.call("lung")
    assert (found.call, found.reason) == ("mixed", "both_sides")


@pytest.mark.parametrize("cancer", ["pancreas", "breast", "tnbc", "lung", None])
def test_apcaf_takes_no_side_anywhere(cancer: str | None) -> None:
    assert ANTIGEN_PRESENTING.call(cancer).call in OPEN


def test_fap_with_detox_icaf_inside_depends_on_context() -> None:
    assert Cluster(FAP).call("breast").call == "pro"
    found = Cluster((*FAP, "set:kieffer2020/detox-iCAF")).call("breast")
    assert (found.call, found.reason) == ("mixed", "context_dependent")


def test_mecaf_means_a_worse_course_and_a_better_response() -> None:
    claims = METABOLIC.claims("pancreas")
    assert patient_outcome(claims, "prognosis", 0.3) == "worse"
    assert patient_outcome(claims, "therapy_response", 0.3) == "better"
    found = METABOLIC.call("pancreas")
    assert (found.call, found.reason) == ("undetermined", "single_source")


# Genes in both a pro and an anti set of the literature; the sets named by them in this catalogue.
CONFLICTING_GENES = (
    "ACTA2 ADH1B ASPN CHRDL1 CILP COL1A1 DPT ELN FBLN5 ISLR KIAA1217 MCAM MDK OGN PI16 PLA2G2A PTX3 SCARA5"
)


@pytest.mark.parametrize("gene", CONFLICTING_GENES.split())
@pytest.mark.parametrize("cancer", ["breast", "pancreas", "lung", None])
def test_a_gene_on_both_sides_makes_no_call_by_itself(gene: str, cancer: str | None) -> None:
    catalogue = sig.load()
    about = [
        f"set:{name}"
        for name, entry in catalogue.sets.items()
        if entry.definition.up == [gene] and catalogue.claims_about(f"set:{name}")
    ]
    entries = [(e, 1.0) for e in catalogue.claims if e.claim.about in (*about, f"gene:{gene}")]
    found = weigh(weighted_claims(entries, catalogue, cancer, "human"), VerdictConfig())
    assert found.call in OPEN
