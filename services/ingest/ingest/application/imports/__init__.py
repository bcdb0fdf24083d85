"""Bulk imports: a file of any length comes in by HTTP, is read while it arrives, and is durable batch by batch.

file: bytes ──inflating──▶ plain bytes ──lines──▶ lines ──ndjson, csv_rows──▶ records ──completing──▶ events
run:  events in batches ──▶ the door's use case, and the job that tells how far it is
"""
