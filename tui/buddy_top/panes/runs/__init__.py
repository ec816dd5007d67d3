"""The tab of runs: their list, one of them full screen, and which two are compared."""
