"""How WeChat's platforms call us: signed, most of them sealed, in XML. Official account and WeCom share it."""
