// Google's script makes this global.
declare var google: any;
