"""The list of warnings that the National Meteorological Centre (中央气象台) shows on its site."""
