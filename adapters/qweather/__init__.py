"""QWeather (和风天气): current warnings of a place, by its Weather Alert interface."""
