"""Webhooks: telling another machine over HTTP, signed as Standard Webhooks has it (HMAC-SHA256 with a timestamp)."""

from adapters.webhook.outlet import WebhookOutlet, signature

__all__ = ["WebhookOutlet", "signature"]
