"""The archive: alerts that are over leave the hot tables for plain files; their accounting stays where it is read.

An alert is written into files (`writing`), sealed (`archivist`: from then on the ledger's counts are the archive's) and
emptied (`emptying`: its rows are deleted, few at a time). Killed at any moment, the next run goes on.
"""
