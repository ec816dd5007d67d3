"""The monitor and the command line, built on `buddy_core`.

- Begun: `cli` reads the arguments; `starting`, `options` and `config` settle how; `app` is drawn, or `cli` prints.
- Fed: `feed` and `feeding` take one `state.Snapshot` after the other, of what `listing`, `reading`, `past` and `kept` have read.
- Shown: `frame` around `panes`, `run_view` and `screens`, made of `widgets`, with what `drawing` knows of looks.
- Asked: `commands` and `keys`; what changes is told by `messages`.
- Let out: `export` for files and the clipboard, `outside` for pager and editor, and `terminal`, the last filter of all.
"""
