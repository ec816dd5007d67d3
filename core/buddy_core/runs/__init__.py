"""Run directories: one for each run of an agent, written by it and read by everybody else.

- Written: `store`, what an agent records with; `writing`, one run meanwhile; `pruning`, what becomes of old ones.
- Read: `reading`, from bytes to records; `records`, what these say; `artifacts`; `watching`, which runs there are.
- Counted: `folding`, what a run comes to, told in `facts`; `numbers`, the same over its time.
- Found: `catalog` and `query`, lists at any size; `searching`, words in what was recorded; `lookup`, by an id.
- Shown: `timeline`, `viewing`, `comparing`, `lineage`, `export`.
- Done with: `keeping`, out of reach of pruning; `replay` of its tests; `checkup` by `doctor`.
"""
