"""The doors: HTTP for products that tell us what their customers do."""
