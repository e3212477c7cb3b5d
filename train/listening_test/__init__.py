"""Mean opinions of people: a blind listening test in the browser, and its report (paper Sec. 5.3, App. C, Fig. 8)."""
