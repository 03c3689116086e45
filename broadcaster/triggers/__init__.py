"""Sensors and rules: stations and what they measure, and the rules by which readings raise alerts."""
