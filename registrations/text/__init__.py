"""French typography, dates in words, slips in addresses."""
