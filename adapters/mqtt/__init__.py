"""MQTT 3.1.1 and 5: readings that a broker passes on, in JSON of whatever shape the settings describe; and what is told
to a subscriber's broker."""

from adapters.mqtt.outlet import MqttOutlet
from adapters.mqtt.sensor import plugin

__all__ = ["MqttOutlet", "plugin"]
