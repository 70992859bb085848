"""HL7 v2: frames, messages, and what they mean; pure, nothing here opens a socket."""
