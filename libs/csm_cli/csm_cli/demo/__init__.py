"""The demo set: twelve made-up customers with sixty days of history, and a minute in which some decline and some recover.

cast ──▶ history ──┐
                   ├──▶ loader ──▶ ingest's door
cast ──▶ script ───┘
"""

from csm_cli.demo.loader import load

__all__ = ["load"]
