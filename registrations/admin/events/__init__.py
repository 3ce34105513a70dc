"""The events: form, changes, previews, figures, dry runs."""
