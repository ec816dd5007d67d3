"""The line a filter is typed into, with its field, its advice and the filters of before."""
