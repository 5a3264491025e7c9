"""How readings arrive: MQTT messages become readings, committed, then acknowledged."""
