"""The collector's numbers for Prometheus: families, the exporter, the server of `/metrics`, dashboard and rules."""
