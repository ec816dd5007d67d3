"""Questions to a catalog: filters as SQL, pages of the list, and the whole list in its order."""
