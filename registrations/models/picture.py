"""Uploaded pictures as they are served: written anew in a few widths (documents/uploaded_picture.py)."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

UNUSED_KEPT = timedelta(days=1)  # a form that is being saved may be about to name it


class PictureQuerySet(models.QuerySet["Picture"]):
    def unused(self) -> Self:
        """Those that nothing names any more."""
        names = [relation.name for relation in Picture._meta.related_objects if relation.name != "files"]
        nowhere = Q(*[(f"{name}__isnull", True) for name in names])
        return self.filter(nowhere, made_at__lt=timezone.now() - UNUSED_KEPT)


class Picture(models.Model):
    digest = models.CharField(max_length=64, unique=True)  # of its files: their addresses change with their content
    sizes = models.JSONField(default=list)  # [width, height] of each file, the smallest first
    made_at = models.DateTimeField(default=timezone.now)

    objects = PictureQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest[:8]

    def address(self, width: int) -> str:
        return reverse("picture", args=[self.digest, width])

    @property
    def width(self) -> int:
        return int(self.sizes[0][0])

    @property
    def height(self) -> int:
        return int(self.sizes[0][1])

    @property
    def src(self) -> str:
        return self.address(self.width)

    @property
    def url(self) -> str:
        """For Django's form field of a file."""
        return self.src

    @property
    def largest(self) -> str:
        return self.address(self.sizes[-1][0])

    @property
    def srcset(self) -> str:
        return ", ".join(f"{self.address(width)} {width}w" for width, _height in self.sizes)


class PictureFile(models.Model):
    picture = models.ForeignKey(Picture, models.CASCADE, related_name="files")
    width = models.PositiveIntegerField()
    content = models.BinaryField()  # WebP

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["picture", "width"], name="picture_has_one_file_of_each_width")]

    def __str__(self) -> str:
        return f"{self.picture_id}: {self.width}"
