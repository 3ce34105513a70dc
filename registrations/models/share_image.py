"""The picture that social networks and messengers show beside a link to an event. A worker makes it."""

from django.db import models
from django.utils import timezone

from registrations.models.event import Event


class ShareImage(models.Model):
    event = models.OneToOneField(Event, models.CASCADE, related_name="share_image")
    digest = models.CharField(max_length=16)  # of what it shows; documents/share_image.py
    content = models.BinaryField()  # PNG
    digest_en = models.CharField(max_length=16, default="", db_default="")  # of the English one; empty: there is none
    content_en = models.BinaryField(default=b"", null=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest
