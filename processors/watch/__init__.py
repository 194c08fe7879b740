"""What serves all trades: profiles, anomalies, alerts, the health of sensors."""
