"""Very many run ids in one text: a list like any other, and families moved within it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.names import run_id_at
from buddy_top.listing import tree
from buddy_top.listing.many.ids import RunIds
from buddy_top.listing.tree import as_families, with_families

ids_of_runs = st.lists(
    st.builds(
        run_id_at,
        st.sampled_from((0, 35, 36**7, 36**12 - 1)) | st.integers(0, 36**12 - 1),
        st.sampled_from(("000000", "ffffff", "abcdef")),
    ),
    unique=True,
    max_size=12,
)


@given(ids_of_runs)
def test_ids_in_a_text_are_a_list_of_ids(ids: list[str]) -> None:
    packed = RunIds.of(ids)
    assert list(packed) == ids
    assert len(packed) == len(ids)
    assert packed[1:5] == ids[1:5]
    assert [packed.index(one) for one in ids] == list(range(len(ids)))
    assert all(one in packed for one in ids)
    if ids:
        assert packed[-1] == ids[-1]
    with pytest.raises(IndexError):
        packed[len(ids)]


@given(ids_of_runs, st.data())
def test_what_is_no_whole_id_is_not_among_them(ids: list[str], data: st.DataObject) -> None:
    packed = RunIds.of(ids)
    for one in ids:
        part = one[: data.draw(st.integers(0, len(one) - 1))]
        assert part not in packed
        with pytest.raises(ValueError, match=f"^{part}$"):
            packed.index(part)
        with pytest.raises(ValueError, match=one):
            packed.index(one, ids.index(one) + 1)


@given(ids_of_runs, st.data(), st.sampled_from((0, 100)))
def test_families_stand_in_the_text_where_they_stand_in_a_list(
    ids: list[str], data: st.DataObject, few: int
) -> None:
    others = st.sampled_from([*ids, "run_0_aaaaaa"])
    forks = {one: data.draw(others) for one in ids if data.draw(st.booleans())}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "_FEW", few)
        moved, depths = with_families(RunIds.of(ids), forks.items())
    families = as_families(ids, forks)
    assert list(moved) == [one for one, _ in families]
    assert {one: depth for one, depth in depths.items() if depth} == {
        one: depth for one, depth in families if depth
    }
