"""ECG files of every maker, read into one form: leads in millivolts, rate, time, device."""
