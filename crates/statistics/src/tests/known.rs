//! Values worked out by hand, printed in papers, or computed with fifty digits: what holds without any file.
