"""What a late ADT files anew, as a person sees it: proposed, done, taken back."""
