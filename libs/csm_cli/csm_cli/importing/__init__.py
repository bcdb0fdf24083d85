"""`csm import`: files → rows → facts by a mapping → ingest's HTTP door, with an account of every row.

mapping ──compiled──▶ mapper            checkpoint, rejects
                        │                      ▲
files ──▶ rows ──▶ batches ──▶ pipeline ──▶ door ──▶ POST /v1/events
"""
